# SPDX-License-Identifier: Apache-2.0
"""Where things are in the repository and in the tree that packaging/build lays out."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# BUSBAR_STAGE names another tree of the same form, such as an installation's /usr.
STAGE = Path(os.environ.get("BUSBAR_STAGE", ROOT / ".build" / "stage"))
BUSBAR = STAGE / "bin" / "busbar"
PLUGINS = STAGE / "lib" / "busbar" / "plugins"
TEMPLATES = STAGE / "share" / "busbar" / "templates"
PEERS = Path(__file__).resolve().parents[1] / "peers"
CASES = ROOT / "Plugins" / "Modbus" / "Cases"
SHARED = ROOT.parent / "shared"

# For commands that read no configuration.
DIRECTORIES = ["--plugins", str(PLUGINS), "--templates", str(TEMPLATES)]


def plugin_folder(directory, library):
    """A folder of plugins with this one in it, as the host wants both."""
    folder = directory / "plugins"
    folder.mkdir(mode=0o755)
    shutil.copyfile(library, folder / library.name)
    (folder / library.name).chmod(0o644)
    return folder
