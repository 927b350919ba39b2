"""Tables of the console, one module an aggregate. No queries and no business rules live here."""
