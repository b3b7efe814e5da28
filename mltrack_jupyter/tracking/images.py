"""Images: arrays, Pillow's images and ours, as files of a run or as a series over steps."""

from __future__ import annotations

import io
import os
import re
import uuid
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.tracking import logging
from mltrack_jupyter.tracking.artifacts import PathLike, RunFiles
from mltrack_jupyter.tracking.batches import to_whole
from mltrack_jupyter.tracking.clock import now_ms

if TYPE_CHECKING:
    import numpy as np
    import PIL.Image

THUMBNAIL = 256
"""The longer side of the small picture that is kept beside one of a series, in pixels."""

LOGGED = "mlflow.loggedImages"
"""The tag of a run that has images in series."""

_NEAREST = {
    **dict.fromkeys(("CMYK", "YCbCr", "LAB", "HSV", "RGBX"), "RGB"),
    **dict.fromkeys(("PA", "RGBa"), "RGBA"),
    "La": "LA",
}
"""The mode that formats of files have, in which a picture of another mode looks the same."""

_KEY = re.compile(r"[A-Za-z0-9_\-./ ]+\Z")


class Image:
    """A picture for :func:`mltrack_jupyter.log_image` and the cells of :func:`mltrack_jupyter.log_table`.

    Parameters
    ----------
    image
        An array (height, width[, 1, 3 or 4 channels]) or such a list, an image of Pillow, or a path.
    """

    def __init__(self, image: Any) -> None:
        self.image = to_pil(image)
        self.size = self.image.size

    def to_pil(self) -> PIL.Image.Image:
        """Return Pillow's image."""
        return self.image

    def to_array(self) -> np.ndarray[Any, Any]:
        """Return the pixels as an array."""
        import numpy as np

        pixels: np.ndarray[Any, Any] = np.array(self.image)
        return pixels

    def to_list(self) -> list[Any]:
        """Return the pixels one after the other."""
        pixels = self.to_array()
        flat = pixels.reshape(-1, *pixels.shape[2:]).tolist()
        return [tuple(pixel) if isinstance(pixel, list) else pixel for pixel in flat]

    def save(self, path: PathLike) -> None:
        """Write a file in the format of the name's ending."""
        self.image.save(path_text(path))

    def resize(self, size: tuple[int, int]) -> Image:
        """Return the picture in another size (width, height)."""
        return Image(self.image.resize(size))


def to_pil(image: Any) -> PIL.Image.Image:
    """Return an image as Pillow's. Raises ``InvalidParameter`` for what is none."""
    import PIL.Image

    if isinstance(image, PIL.Image.Image):
        return image
    if isinstance(image, Image):
        return image.image
    if isinstance(image, str | os.PathLike):
        try:
            return PIL.Image.open(path_text(image))
        except (OSError, PIL.UnidentifiedImageError) as error:
            raise InvalidParameter(f"There is no readable image at '{image}': {error}.") from error
    if isinstance(image, list | tuple) or hasattr(image, "__array__"):
        return PIL.Image.fromarray(_pixels(_as_array(image)))
    raise InvalidParameter(
        f"An image is an array, an image of Pillow or an mltrack.Image, not a {type(image).__name__}."
    )


def _as_array(image: Any) -> np.ndarray[Any, Any]:
    import numpy as np

    # A tensor may know how it came about, and be on another device.
    image = image.detach().cpu() if hasattr(image, "detach") else image
    try:
        pixels: np.ndarray[Any, Any] = np.asarray(image)
    except ValueError as error:
        raise InvalidParameter(f"The rows of an image have one length: {error}.") from error
    return pixels


def _pixels(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return an array as bytes from 0 to 255; floats are read as from 0 to 1."""
    import numpy as np

    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise InvalidParameter(
            f"An image has the shape (height, width) or (height, width, 1, 3 or 4), not {array.shape}."
        )
    if array.dtype.kind not in "biuf" or not array.size:
        raise InvalidParameter(
            f"An image is made of numbers or booleans, not of {array.dtype} in the shape {array.shape}."
        )
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype.kind in "iu":
        if array.min() < 0 or array.max() > 255:
            raise InvalidParameter(
                f"Whole numbers of an image go from 0 to 255; these go from {array.min()} to {array.max()}."
            )
        whole: np.ndarray[Any, Any] = array.astype(np.uint8)
        return whole
    scaled: np.ndarray[Any, Any] = (_unit(array.astype(float)) * 255).astype(np.uint8)
    return scaled


def _unit(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    if not np.isfinite(array).all():
        raise InvalidParameter("An image must not hold NaN or infinities.")
    low, high = float(array.min()), float(array.max())
    if low >= 0 and high <= 1:
        return array
    warnings.warn(
        f"Floats of an image go from 0 to 1; these go from {low} to {high} and were scaled.",
        stacklevel=4,
    )
    scaled: np.ndarray[Any, Any] = (array - low) / ((high - low) or 1.0)
    return scaled


def log_image(
    image: Any,
    artifact_file: PathLike | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = False,
) -> None:
    """Write an image to the active run: as a file, or as one of a series over steps.

    Parameters
    ----------
    image
        An array of bytes, of floats from 0 to 1, or of booleans; an image of Pillow;
        an :class:`mltrack_jupyter.Image`.
    artifact_file
        The path of the file, whose ending names the format.
    key
        The name of the series, instead of a file: letters, digits, ``_ - . /`` and spaces.
    step, timestamp
        Where in the series, and when (ms since 1970).
    """
    files = logging.files_of(None)
    series = None if artifact_file is not None else (key, step, timestamp)
    if artifact_file is not None and (key, step, timestamp) != (None, None, None):
        raise InvalidParameter("Give either artifact_file, or key with step and timestamp.")
    write_image(files, image, artifact_file or "", series)
    if series:
        logging.set_tags({LOGGED: True})


def write_image(
    files: RunFiles,
    image: Any,
    artifact_file: PathLike,
    series: tuple[str | None, int | None, int | None] | None = None,
) -> None:
    """Write an image to a run, as a file or into a series; the caller sets the tag of a series."""
    if series is None:
        files.write(artifact_file, io.BytesIO(encoded(image, artifact_file)))
        return
    key, step, timestamp = series
    if not key or not _KEY.match(key):
        raise InvalidParameter(
            f"key={key!r}: log_image needs artifact_file, or a key of letters, digits, '_', '-', '.', "
            "'/' and spaces."
        )
    place = to_whole("step", key, step or 0)
    time = to_whole("timestamp", key, timestamp or now_ms())
    # MLflow's names, which its screens and ours take apart again.
    stem = f"images/{key.replace('/', '~')}+step+{place}+timestamp+{time}+{uuid.uuid4()}"
    picture = to_pil(image)
    files.write(f"{stem}.png", io.BytesIO(encoded(picture, ".png")))
    files.write(f"{stem}+compressed.webp", io.BytesIO(encoded(small(picture), ".webp")))


def small(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Return a picture whose longer side has :data:`THUMBNAIL` pixels."""
    factor = THUMBNAIL / max(picture.size)
    width, height = (max(1, int(side * factor)) for side in picture.size)
    return picture.resize((width, height))


def encoded(image: Any, name: PathLike) -> bytes:
    """Return an image as the bytes of a file of that name. Raises ``InvalidParameter``."""
    import PIL.Image

    name = path_text(name, "An artifact path")
    ending = Path(f"x{name}").suffix.lower() if name.startswith(".") else Path(name).suffix.lower()
    kind = PIL.Image.registered_extensions().get(ending)
    if kind is None or kind not in PIL.Image.SAVE:
        raise InvalidParameter(
            f"The name {name!r} ends in no format of images that can be written; '.png' is one."
        )
    picture = to_pil(image)
    try:
        return _saved(picture, kind)
    except (OSError, ValueError) as error:
        other = _alike(picture, kind)
        if other is None:
            raise InvalidParameter(f"The image cannot be written as {kind}: {error}.") from error
        return _saved(other, kind)


def _alike(picture: PIL.Image.Image, kind: str) -> PIL.Image.Image | None:
    """Return a picture that looks the same, in a mode that a format has; ``None`` if it has none."""
    if picture.mode in ("F", "I"):  # numbers, as in an array
        return to_pil(_as_array(picture))
    mode = _NEAREST.get(picture.mode)
    if kind == "JPEG" and (picture.mode == "P" and "transparency" not in picture.info):
        mode = "RGB"
    if mode is None or (kind == "JPEG" and mode != "RGB"):  # which has no transparency
        return None
    return picture.convert(mode)


def _saved(picture: PIL.Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind)
    return buffer.getvalue()
