"""The OpenAPI document of the console's JSON API. A test compares it with the routes, and another tries it."""

from __future__ import annotations

from functools import cache
from typing import Any

from muniment.policy.officer import MOST as MOST_OFFICERS

_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 0}
_PERMIT_NUMBER = {
    "name": "number",
    "in": "path",
    "required": True,
    "description": "The permit's number, year and running number.",
    "schema": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{3,6}$"},
}
_REFUSALS = {
    "400": "What was sent cannot be read.",
    "401": "Nobody is signed in.",
    "403": "The person's roles do not allow it, the token of a form is missing, or they must say again who they are.",
    "404": "There is nothing of that name.",
    "409": "What was sent contradicts what stands.",
    "413": "What was sent is too large.",
    "503": "A part of Muniment does not answer.",
}


@cache
def describe() -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Muniment",
            "version": "1",
            "description": "What a program may ask of the console with the session of somebody signed in. A request "
            "that writes carries the token of a form in X-CSRFToken.",
        },
        "components": {
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "sessionid"}},
            "schemas": {
                "Error": _object({"error": _TEXT, "clause": _TEXT}),
                "Record": _record(),
                "Me": _object(
                    {"id": _TEXT, "name": _TEXT, "roles": _list(_TEXT), "permissions": _list(_TEXT)}
                ),
                "ApprovalRequest": _approval_request(),
                "SignedApproval": _object(
                    {"format": _TEXT, "approval": _TEXT, "signature": _TEXT, "release": _TEXT}
                ),
                "Approved": _object({"number": _TEXT, "state": _TEXT, "ends_ms": _NUMBER}),
            },
        },
        "security": [{"session": []}],
        "paths": _paths(),
    }


def _paths() -> dict[str, Any]:
    document = {"type": "object", "required": ["openapi", "paths"]}
    return {
        "/api/openapi.json": {"get": _get("describe", "This document.", document, refusals=("401",))},
        "/api/record": {"get": _get("record", "The state of the record.", _ref("Record"), ("401", "503"))},
        "/api/me": {"get": _get("me", "Who is signed in, and what their roles open.", _ref("Me"), ("401",))},
        "/api/permits/{number}/approval-request": {
            "parameters": [_PERMIT_NUMBER],
            "get": _get(
                "approvalRequest",
                "What an officer signs. Officers only, and neither who asks nor who is looked at.",
                _ref("ApprovalRequest"),
                ("400", "401", "403", "404", "409", "503"),
            ),
        },
        "/api/permits/{number}/approval": {"parameters": [_PERMIT_NUMBER], "post": _approve()},
    }


def _get(name: str, summary: str, schema: dict[str, Any], refusals: tuple[str, ...]) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": _answer(summary, schema), **_no(refusals)},
    }


def _approve() -> dict[str, Any]:
    summary = "The signed approval of an officer; the permit is in force afterwards."
    return {
        "operationId": "approve",
        "summary": summary,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("SignedApproval")}},
        },
        "responses": {"200": _answer(summary, _ref("Approved")), **_no(tuple(_REFUSALS))},
    }


def _record() -> dict[str, Any]:
    streams = _list(_object({"name": _TEXT, "entries": _NUMBER}))
    return _object(
        {
            "origin": _TEXT,
            "size": _NUMBER,
            "published": _NUMBER,
            "root": _TEXT,
            "witnessed": {"type": "boolean"},
            "gaps": _NUMBER,
            "problems": _list(_TEXT),
            "streams": streams,
        }
    )


def _approval_request() -> dict[str, Any]:
    sealed = _object({"sealed": _TEXT, "suite": _NUMBER, "to": _TEXT})
    wraps = {"type": "array", "items": sealed, "maxItems": MOST_OFFICERS + 1}
    wrap = _object({"class": _NUMBER, "epoch": _NUMBER, "wraps": wraps})
    return _object({"format": _TEXT, "request": _TEXT, "selection": _TEXT, "wraps": _list(wrap)})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _no(codes: tuple[str, ...]) -> dict[str, Any]:
    return {code: _answer(_REFUSALS[code], _ref("Error")) for code in codes}
