"""A checkpoint out of a mail, a scan or somebody's typing, and the command that compares it. R-2.1-b."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.cli.main import main
from muniment.policy.errors import BadInput
from muniment.record.witnessed.typed import find_note
from tests.record.ledger.shared import OWN
from tests.record.recording import mail, make_home, recording

NOTE = str(OWN["checkpoint_300"]).encode()


@pytest.mark.parametrize(
    "text",
    [
        NOTE.decode(),
        NOTE.decode().replace("\n", "\r\n"),
        "Good morning,\n\nkeep this:\n\n" + NOTE.decode() + "\nRegards\n",
        NOTE.decode().replace("\u2014", "-"),
        NOTE.decode().replace("\u2014", "--"),
        "\ufeff" + "".join(f"> {line}\n" for line in NOTE.decode().split("\n")),
        "".join(f"    {line}  \n" for line in NOTE.decode().split("\n")),
        NOTE.decode().replace("\n\n", "\n"),
    ],
)
def test_a_checkpoint_is_found_however_it_came(text: str) -> None:
    assert find_note(text.encode()) == NOTE


@given(st.binary(max_size=300))
def test_any_other_text_holds_none(data: bytes) -> None:
    with pytest.raises(BadInput, match="no checkpoint"):
        find_note(data)


def test_the_command_says_whether_the_record_continues_a_kept_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    image = tmp_path / "image"
    kept = {}
    for number in (1, 2, 3):
        with recording(home) as record:
            record.append([mail(number)])
            record.publish()
        assert main(["checkpoint", "print", "--home", str(home.path)]) == 0
        kept[number] = tmp_path / f"{number}.txt"
        kept[number].write_text("From my mailbox:\n\n" + capsys.readouterr().out + "\nBye\n")
        if number == 2:
            shutil.copytree(home.path, image)
    for file in kept.values():
        assert main(["checkpoint", "compare", str(file), "--home", str(home.path)]) == 0
    assert "This record continues it" in capsys.readouterr().out
    assert main(["checkpoint", "compare", str(kept[2]), "--home", str(image)]) == 0
    assert main(["checkpoint", "compare", str(kept[3]), "--home", str(image)]) == 6
    assert "an earlier copy of the record was put back" in capsys.readouterr().err
    shutil.rmtree(home.path)
    shutil.copytree(image, home.path)
    with recording(home) as record:
        record.append([mail(number) for number in range(10, 20)])
        record.publish()
    assert main(["checkpoint", "compare", str(kept[3]), "--home", str(home.path)]) == 6
    assert "the ledger was forked" in capsys.readouterr().err
    forged = tmp_path / "forged"
    forged.write_text(kept[1].read_text().replace("/record\n", "/record\n1"))
    assert main(["checkpoint", "compare", str(forged), "--home", str(home.path)]) == 6
    assert main(["checkpoint", "compare", str(tmp_path / "none"), "--home", str(home.path)]) == 4
    assert main(["checkpoint", "key", "--home", str(home.path)]) == 0
    assert capsys.readouterr().out.startswith("training.example/record+")
