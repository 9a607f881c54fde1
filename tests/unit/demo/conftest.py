from pathlib import Path

import pytest

from antiphon.demo import World, generate


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return generate(tmp_path_factory.mktemp("demo") / "world", 3_000, seed=3, days=40)


@pytest.fixture(scope="session")
def material(world: World) -> Path:
    return world.material
