"""mltrack_jupyter on its default SQLite store in the working directory."""

from benchmarks.adapters.common import main


def load():
    import mltrack_jupyter

    mltrack_jupyter.set_tracking_uri(".mltrack")
    return mltrack_jupyter


def imported():
    import mltrack_jupyter

    return mltrack_jupyter


if __name__ == "__main__":
    main(load, imported)
