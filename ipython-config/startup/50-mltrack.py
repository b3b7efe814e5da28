# Makes %%track and %mltrack known in every IPython kernel of this environment.
def _mltrack_autoload():
    # Nothing may escape: an error here would keep IPython from running the startup files after this one.
    try:
        import importlib.util

        from IPython import get_ipython

        shell = get_ipython()
        if shell is not None and importlib.util.find_spec("mltrack_jupyter") is not None:
            import mltrack_jupyter

            mltrack_jupyter.load_ipython_extension(shell)
            # So that a %load_ext in the notebook does not load it a second time.
            shell.extension_manager.loaded.add("mltrack_jupyter")
    except Exception as error:
        import logging

        logging.getLogger("mltrack_jupyter").warning("mltrack_jupyter is not loaded: %r", error)


_mltrack_autoload()
del _mltrack_autoload
