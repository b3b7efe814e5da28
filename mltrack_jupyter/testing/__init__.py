"""The contract of a store as tests: what every implementation of the services must do.

A plug-in runs it over its own store with one fixture::

    # tests/test_contract.py
    import pytest
    from mltrack_jupyter.store import open_store
    from mltrack_jupyter.testing import *  # the test classes


    @pytest.fixture(scope="session")
    def services(tmp_path_factory):
        services = open_store("mystore://...")
        yield services
        services.close()

Each test makes what it needs under names of its own, so that one store can serve all of them.
"""

import pytest

# Before they are imported, so that a failing assertion shows its values.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{name}"
        for name in (
            "artifacts",
            "experiments",
            "feed",
            "leases",
            "journals",
            "logged_model_search",
            "logged_models",
            "metrics",
            "model_places",
            "points",
            "registered_models",
            "runs",
            "search",
            "series",
            "table",
            "versions",
        )
    )
)

from mltrack_jupyter.testing.artifacts import TestArtifacts, TestPaths  # noqa: E402
from mltrack_jupyter.testing.experiments import TestExperiments, TestExperimentSearch  # noqa: E402
from mltrack_jupyter.testing.feed import TestChangeFeed  # noqa: E402
from mltrack_jupyter.testing.journals import TestAmendments, TestBegins, TestJournals  # noqa: E402
from mltrack_jupyter.testing.leases import TestLeases  # noqa: E402
from mltrack_jupyter.testing.logged_model_search import TestLoggedModelSearch  # noqa: E402
from mltrack_jupyter.testing.logged_models import TestLoggedModels  # noqa: E402
from mltrack_jupyter.testing.metrics import TestBulkHistories, TestIntervals, TestMetrics  # noqa: E402
from mltrack_jupyter.testing.model_places import (  # noqa: E402
    TestFilesThatStay,
    TestModelPlaces,
    TestModelsMadeWhileAway,
    TestReservedTags,
)
from mltrack_jupyter.testing.points import TestAlike  # noqa: E402
from mltrack_jupyter.testing.registered_models import (  # noqa: E402
    TestAliases,
    TestRegisteredModels,
    TestRegisteredModelSearch,
)
from mltrack_jupyter.testing.runs import (  # noqa: E402
    TestBatches,
    TestInputsAndOutputs,
    TestRuns,
)
from mltrack_jupyter.testing.search import (  # noqa: E402
    TestFilters,
    TestOrder,
    TestPages,
    TestWrongFilters,
)
from mltrack_jupyter.testing.series import TestColumns, TestSeries  # noqa: E402
from mltrack_jupyter.testing.shared import TestSharedFiles  # noqa: E402
from mltrack_jupyter.testing.table import TestTable  # noqa: E402
from mltrack_jupyter.testing.versions import TestRegister, TestSources, TestVersions  # noqa: E402

__all__ = [
    "TestAliases",
    "TestAlike",
    "TestAmendments",
    "TestArtifacts",
    "TestBegins",
    "TestBatches",
    "TestChangeFeed",
    "TestColumns",
    "TestExperimentSearch",
    "TestExperiments",
    "TestFilesThatStay",
    "TestFilters",
    "TestInputsAndOutputs",
    "TestBulkHistories",
    "TestIntervals",
    "TestJournals",
    "TestLeases",
    "TestLoggedModelSearch",
    "TestLoggedModels",
    "TestMetrics",
    "TestModelPlaces",
    "TestModelsMadeWhileAway",
    "TestOrder",
    "TestPages",
    "TestPaths",
    "TestRegister",
    "TestRegisteredModelSearch",
    "TestRegisteredModels",
    "TestReservedTags",
    "TestRuns",
    "TestSeries",
    "TestSharedFiles",
    "TestSources",
    "TestTable",
    "TestVersions",
    "TestWrongFilters",
]
