"""The full-text index of messages: objects of the database that migrations make and no model declares.

SQLite: the FTS5 table `INDEX` with the columns ``text`` and ``tokens`` over the view `SOURCE`; FTS5 keeps tables of
its own beside it. PostgreSQL: `TRIGRAM_INDEX`, where the extension pg_trgm can be created; it has the trigrams of the
text, and `BLOCK` of the id.
"""

INDEX = "message_search"
SOURCE = "message_search_source"
TRIGRAM_INDEX = "ix_message_text_trigrams"
# The index knows no order, but which messages are of the same block: of so many ids.
BLOCK_IDS = 2**16
BLOCK = f"ARRAY[(id >> {BLOCK_IDS.bit_length() - 1})::integer]"
