"""Whatever a user can get wrong about a tracked cell is said before the cell runs."""

import pytest

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--register team/churn", ["must not hold '/'", "'team-churn' would be right"]),
        ("--register a:b", ["'a-b' would be right"]),
        (f"--register {'m' * 257}", ["maximum length of 256"]),
        ("--register ' '", ["needs a name"]),
        ("-t 'bad\tkey=x'", ["Invalid tag name"]),
        ("-t ../up=x", ["Invalid tag name", "'up' would be right"]),
        (f"-t {'k' * 251}=x", ["maximum length of 250"]),
        ("-p 'a b'", ["names of variables", "not 'a b'"]),
        ("-m acc,f1-score", ["names of variables", "not 'f1-score'"]),
        (f"-e {'e' * 501}", ["maximum length of 500"]),
        ("-e ' '", ["not blank"]),
        ("-n 'a\x00b'", ["NUL"]),
        ("-e thrown-away", ["'thrown-away' is deleted", "restore_experiment"]),
    ],
)
def test_the_cell_is_not_run(kernel, services, count, line, said):
    if "thrown-away" in line:
        services.experiments.delete(services.experiments.create("thrown-away"))
    before = count()
    reply = kernel.run(f"%%track {line}\nprint('ran')")
    assert reply.status == "error"
    assert "UsageError" in reply.text
    assert "print" not in reply.text
    assert "ran" not in reply.text.split()
    assert all(part in reply.text for part in said)
    assert count() == before
    assert kernel.run("%%track\nafterwards = 1").status == "ok"
    assert count() == before + 1
