"""The names that KerasTuner's tests import: those of its repository, which an installed KerasTuner has one level deeper, in `keras_tuner.src`."""
import sys

import keras_tuner
import keras_tuner.src.distribute.oracle_chief
import keras_tuner.src.distribute.oracle_client
import keras_tuner.src.distribute.utils  # noqa: F401

SOURCES = "keras_tuner.src."


def use_repository_names(tests):
    """Lets the installed modules be imported as in the repository, and `keras_tuner.test_utils` from the folder of the tests."""
    for name, module in list(sys.modules.items()):
        if name.startswith(SOURCES):
            short = name[len(SOURCES):]
            sys.modules[f"keras_tuner.{short}"] = module
            if "." not in short:
                setattr(keras_tuner, short, module)
    keras_tuner.__path__.append(str(tests))
