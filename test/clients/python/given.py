"""Where the system is, and what it holds: see clients.spec.ts."""
import os

URL = os.environ["CAUDEX_URL"]
TOKEN = os.environ["CAUDEX_TOKEN"]
PROJECT = os.environ["CAUDEX_PROJECT"]
BASE = f"{URL}/v1"
MODEL = f"caudex:{PROJECT}"
QUESTION = "When do pears ripen?"
ANSWER = "Pears ripen in September [1]."


def same(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"
