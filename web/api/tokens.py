"""Tokens of other systems; the secret is shown once, when it is made."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import AwareDateTime, Integer, List, Nested, String
from apiflask.validators import Length, OneOf

from ocm_cti.domain.access import Scope
from ocm_cti.store.tokens import Token
from web import security
from web.api.common import must
from web.api.description import blueprint

api = blueprint("tokens")

_SCOPES = [scope.value for scope in Scope]


class ApiToken(Schema):
    id = Integer(required=True)
    name = String(required=True)
    prefix = String(required=True, metadata={"description": "How the token begins"})
    scope = String(required=True, validate=OneOf(_SCOPES))
    made_by = String(required=True)
    created_at = AwareDateTime(required=True)
    used_at = AwareDateTime(required=True, allow_none=True)
    revoked_at = AwareDateTime(required=True, allow_none=True)


class NewToken(ApiToken):
    secret = String(required=True, metadata={"description": "The token itself; it is nowhere to be had later"})


class Tokens(Schema):
    items = List(Nested(ApiToken), required=True)


class WantedToken(Schema):
    name = String(required=True, validate=Length(min=1, max=100), metadata={"description": "Which system uses it"})
    scope = String(required=True, validate=OneOf(_SCOPES))


def plain(token: Token) -> dict[str, Any]:
    return {
        "id": token.token_id,
        "name": token.name,
        "prefix": token.prefix,
        "scope": token.scope.value,
        "made_by": token.made_by,
        "created_at": token.created_at,
        "used_at": token.used_at,
        "revoked_at": token.revoked_at,
    }


@api.get("/tokens")
@api.output(Tokens)
@api.doc(summary="All tokens, revoked ones too", operation_id="tokens")
def overview() -> Any:
    must(Scope.ADMIN)
    return {"items": [plain(token) for token in security.office().accounts.tokens(security.caller())]}


@api.post("/tokens")
@api.input(WantedToken)
@api.output(NewToken, status_code=201)
@api.doc(summary="Make a token", operation_id="make_token")
def make(json_data: dict[str, Any]) -> Any:
    must(Scope.ADMIN)
    secret, token = security.office().accounts.make_token(
        security.caller(), json_data["name"], Scope(json_data["scope"])
    )
    return plain(token) | {"secret": secret}, 201


@api.delete("/tokens/<int:token_id>")
@api.output(ApiToken)
@api.doc(summary="Revoke a token: it works no more", operation_id="revoke_token")
def revoke(token_id: int) -> Any:
    must(Scope.ADMIN)
    return plain(security.office().accounts.revoke_token(security.caller(), token_id))
