"""What an address without a page shows. Everybody who is logged in may see it."""

import dash
from dash import dcc, html

dash.register_page(__name__, title="Not found · drunc-console")


def layout(**_unused: str) -> html.Div:
    """Say that there is nothing here, and where to go."""
    return html.Div(
        [
            html.H1("There is no page at this address."),
            html.P(["Nothing was changed. Go to the ", dcc.Link("overview", href="/"), "."]),
        ],
        className="p-4",
    )
