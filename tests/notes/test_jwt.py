"""What NOTES.md says about JSON Web Tokens, with PyJWT."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from importlib.util import find_spec

import pytest

from lessons.workshop.judge import StrictCommunicator
from tests.support.required_programs import skip_or_fail
from tests.support.simulated_time import clock, wait

SECRET = "this secret has thirty-two bytes"


@pytest.fixture(scope="module")
def jwt():
    """The module, so that other tests do not import it."""
    if find_spec("jwt") is None:
        skip_or_fail("There is no jwt: pip install --require-hashes -r .ci/extras.txt")
    import jwt

    return jwt


def encoded(data):
    return urlsafe_b64encode(data).rstrip(b"=")


def forged(header, claims, secret):
    """A token as an attacker makes it: with any header, signed with any bytes."""
    text = b".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    return (text + b"." + encoded(hmac.new(secret, text, hashlib.sha256).digest())).decode()


@pytest.fixture(scope="module")
def private_key(jwt):
    from cryptography.hazmat.primitives.asymmetric import rsa  # Daphne needs this package

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def public_pem(private_key):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    kind = PublicFormat.SubjectPublicKeyInfo
    return private_key.public_key().public_bytes(Encoding.PEM, kind)


def test_a_client_reads_the_claims_of_a_jwt_without_its_key(jwt):
    _, claims, _ = jwt.encode({"sub": "ada"}, SECRET, algorithm="HS256").split(".")
    assert json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4))) == {"sub": "ada"}


def test_pyjwt_requires_a_list_of_algorithms(jwt):
    with pytest.raises(jwt.DecodeError, match='pass in a value for the "algorithms" argument'):
        jwt.decode(jwt.encode({"sub": "ada"}, SECRET), SECRET)


@pytest.mark.parametrize(
    ("algorithms", "key", "error"),
    [
        (["HS256"], SECRET, "InvalidAlgorithmError"),
        (["HS256", "none"], SECRET, "InvalidKeyError"),
        (["HS256", "none"], None, "InvalidSignatureError"),
    ],
)
def test_pyjwt_refuses_a_token_without_a_signature_even_if_none_is_allowed(
    jwt, algorithms, key, error
):
    token = jwt.encode({"sub": "ada"}, None, algorithm="none")
    assert token.endswith(".")
    with pytest.raises(getattr(jwt, error)):
        jwt.decode(token, key, algorithms=algorithms)


def test_pyjwt_refuses_a_public_key_as_the_secret_of_hs256(jwt, private_key, public_pem):
    token = forged({"alg": "HS256"}, {"sub": "eve"}, public_pem)
    mixed = ["HS256", "RS256"]
    known = forged({"alg": "HS256"}, {"sub": "eve"}, SECRET.encode())
    assert jwt.decode(known, SECRET, algorithms=mixed) == {"sub": "eve"}  # it is signed right
    with pytest.raises(jwt.InvalidKeyError, match="should not be used as an HMAC secret") as raised:
        jwt.decode(token, public_pem, algorithms=mixed)
    assert not isinstance(raised.value, jwt.InvalidTokenError)
    with pytest.raises(TypeError):  # an object is not a secret either
        jwt.decode(token, private_key.public_key(), algorithms=mixed)
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.decode(token, public_pem, algorithms=["RS256"])
    own = jwt.encode({"sub": "ada"}, private_key, algorithm="RS256")
    assert jwt.decode(own, public_pem, algorithms=["RS256"]) == {"sub": "ada"}


@pytest.mark.parametrize(
    ("claims", "checks", "error"),
    [
        ({}, {"options": {"require": ["exp"]}}, "MissingRequiredClaimError"),
        ({"iss": "eve"}, {"issuer": "us"}, "InvalidIssuerError"),
    ],
)
def test_pyjwt_checks_exp_and_iss_only_if_they_are_asked_for(jwt, claims, checks, error):
    token = jwt.encode(claims, SECRET)
    assert jwt.decode(token, SECRET, algorithms=["HS256"]) == claims
    with pytest.raises(getattr(jwt, error)):
        jwt.decode(token, SECRET, algorithms=["HS256"], **checks)


# ── The consumer ──


def token(jwt, key=None, algorithm="HS256", **changes):
    """A token for 60 seconds that the consumer accepts, but for these changes."""
    from tests.notes.sample_project.jwt_account import KEY

    claims = {"sub": "ada", "aud": "account", "exp": int(time.time()) + 60} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    secret = None if algorithm == "none" else key or KEY
    return jwt.encode(claims, secret, algorithm=algorithm)


def new_client():
    from tests.notes.sample_project.jwt_account import Account

    return StrictCommunicator(Account.as_asgi(), "/")


def text(value):
    return {"type": "websocket.send", "text": value}


CLOSE = {"type": "websocket.close", "code": 4401}


async def test_the_consumer_closes_when_its_jwt_expires(jwt):
    with clock():
        sent = token(jwt)
        await wait(20)
        async with new_client() as client:
            assert await client.connect() == (True, None)
            await client.send_to(text_data=sent)
            client.expect(text("hello ada"))
            await wait(39.9)
            await client.send_to(text_data="?")
            client.expect(text("ada"))
            await wait(0.2)
            await client.settle()
            client.expect(CLOSE)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 0},
        {"exp": None},
        {"sub": None},
        {"aud": "letters"},
        {"aud": None},
        {"key": "another secret, of 32 bytes or more"},
        {"algorithm": "none"},
    ],
    ids=str,
)
async def test_the_consumer_closes_if_a_check_of_the_jwt_fails(jwt, changes):
    with clock():
        async with new_client() as client:
            await client.connect()
            await client.send_to(text_data=token(jwt, **changes))
            client.expect(CLOSE)


async def test_the_consumer_closes_a_client_whose_first_frame_is_not_a_jwt(jwt):
    with clock():
        for frame in ({"text_data": "hello"}, {"text_data": ""}, {"bytes_data": b"\x00"}):
            async with new_client() as client:
                await client.connect()
                await client.send_to(**frame)
                client.expect(CLOSE)


async def test_the_consumer_answers_no_frame_behind_its_close(jwt):
    with clock():
        async with new_client() as client:
            await client.connect()
            for frame in ("hello", token(jwt), "?"):
                client.deliver({"type": "websocket.receive", "text": frame})
            await client.settle()
            client.expect(CLOSE)


async def test_the_consumer_closes_a_client_that_sends_no_frame(jwt):
    with clock():
        async with new_client() as client:
            await client.connect()
            await wait(4.9)
            client.expect()
            await wait(0.2)
            await client.settle()
            client.expect(CLOSE)
