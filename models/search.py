"""The full-text index of messages: objects of the database that migrations make and no model declares.

SQLite: the FTS5 table `INDEX` with the columns ``text`` and ``tokens`` over the view `SOURCE`; FTS5 keeps tables of
its own beside it. PostgreSQL: `TRIGRAM_INDEXES`, where the extension pg_trgm can be created; they have the trigrams of
the text, and `BLOCK` of the id. Each is of the messages that have its number as `INDEX_NUMBER`.
"""

INDEX = "message_search"
SOURCE = "message_search_source"
# An index knows no order: all that it names must be looked at to know the newest. So no index has all messages. Each
# takes a section of ids in turn, and is left alone while the others have theirs.
SECTION_IDS = 2**20
TRIGRAM_INDEXES = tuple(f"ix_message_text_trigrams_{number}" for number in range(8))
INDEX_NUMBER = f"((id >> {SECTION_IDS.bit_length() - 1}) & {len(TRIGRAM_INDEXES) - 1})"
# Within its sections an index knows which messages are of the same block: of so many ids.
BLOCK_IDS = 2**16
BLOCK = f"ARRAY[(id >> {BLOCK_IDS.bit_length() - 1})::integer]"
