"""Numbers and spans of time are the same texts in a card and on a screen: the browser's own code is asked."""

import json
import math
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltrack_jupyter.widgets.texts import distinct_numbers, duration, short_number

ROOT = Path(__file__).parents[2]
ESBUILD = ROOT / "node_modules" / ".bin" / "esbuild"
TEXTS = json.loads((ROOT / "tests" / "widgets" / "numbers.json").read_text())
ANSWER = """
const { distinctNumbers, duration, shortNumber } = require(process.argv[1]);
const number = text => (text === 'inf' ? Infinity : text === '-inf' ? -Infinity : Number(text));
require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const values = JSON.parse(line).map(number);
  const spans = values.map(value => duration(Math.min(Math.abs(value) || 0, 1e12)));
  const texts = [4, 6, 9].flatMap(digits => values.map(value => shortNumber(value, digits)));
  console.log(JSON.stringify([texts, distinctNumbers(values), spans]));
});
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Return what asks the code of the screens for the texts of numbers."""
    node = shutil.which("node")
    if node is None or not ESBUILD.exists():
        pytest.skip("there is no node here, or nothing was installed for it")
    bundle = tmp_path_factory.mktemp("js") / "format.cjs"
    source = ROOT / "src" / "models" / "format.ts"
    options = ["--bundle", "--format=cjs", "--platform=node", "--log-level=error"]
    subprocess.run([ESBUILD, source, *options, f"--outfile={bundle}"], check=True)
    process = subprocess.Popen(
        [node, "-e", ANSWER, bundle], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def ask(values):
        process.stdin.write(json.dumps([repr(float(value)) for value in values]) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield ask
    process.stdin.close()
    process.wait()


def _here(values):
    values = [float(value) for value in values]
    spans = [0.0 if math.isnan(value) else min(abs(value), 1e12) for value in values]
    texts = [short_number(value, digits) for digits in (4, 6, 9) for value in values]
    return [texts, distinct_numbers(values), [duration(span) for span in spans]]


@pytest.mark.parametrize(("number", "text"), TEXTS)
def test_the_text_of_a_number(number, text):
    assert short_number(float(number)) == text


def test_the_screens_say_the_same(browser):
    values = [float(number) for number, _ in TEXTS]
    assert browser(values) == _here(values)
    assert browser(values)[0][: len(values)] == [text for _, text in TEXTS]


_HALVES = st.integers(-(10**7), 10**7).map(lambda n: n / 2**5)
_DECIMALS = st.tuples(st.integers(-(10**6), 10**6), st.integers(-20, 20)).map(
    lambda pair: float(f"{pair[0]}e{pair[1]}")
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.one_of(st.floats(), _HALVES, _DECIMALS), min_size=1, max_size=20))
def test_any_number_is_the_same_text_on_the_screens(browser, values):
    assert browser(values) == _here(values)
