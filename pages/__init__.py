"""Pages: layouts and thin callbacks. Found by Dash; names that begin with an underscore are no pages."""
