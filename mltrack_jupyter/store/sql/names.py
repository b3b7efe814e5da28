"""Invented run names, such as ``brisk-otter-412``."""

from __future__ import annotations

import secrets

_ADJECTIVES = (
    "able amber apt avid bold brave breezy bright brisk calm candid clever crisp deft eager "
    "early fair fleet fond frank fresh gentle glad grand happy honest jolly keen kind lively "
    "loyal lucid lucky mellow merry mild neat nimble noble novel placid polite proud quick quiet "
    "rapid ready rosy sage serene sharp silent sleek smart snug sober solid spry steady sunny "
    "swift tidy upbeat vivid warm wise witty zesty"
).split()
_ANIMALS = (
    "ant badger bat bear bee bison boar carp cat colt cow crab crane crow deer dove duck eagle "
    "eel elk ewe falcon finch fox frog gnu goat goose grouse gull hare hawk hen heron horse ibis "
    "jay kite koala lamb lark lion lynx mare mink mole moose moth mouse mule newt otter owl ox "
    "panda perch pike puma quail ram rat raven robin seal shark sheep shrew skunk sloth snail "
    "stork swan swift tern toad trout vole wasp whale wolf wren yak zebra"
).split()


def invent_name() -> str:
    """Return a name that is easy to tell from others; not necessarily unique."""
    adjective, animal = secrets.choice(_ADJECTIVES), secrets.choice(_ANIMALS)
    return f"{adjective}-{animal}-{secrets.randbelow(1000)}"
