"""The full-text index of messages: objects of the database that migrations make and no model declares.

SQLite: the FTS5 table `INDEX` with the columns ``text`` and ``tokens`` over the view `SOURCE`; FTS5 keeps tables of
its own beside it. PostgreSQL: `TRIGRAM_INDEX`, where the extension pg_trgm can be created.
"""

INDEX = "message_search"
SOURCE = "message_search_source"
TRIGRAM_INDEX = "ix_message_text_trigrams"
