from forecast.commands.progress import describe, lines
from forecast.progress import Progress


def test_a_plain_line_is_said_at_most_every_five_seconds() -> None:
    said: list[str] = []
    now = [0.0]
    listen = lines(said.append, lambda: now[0])
    for second in range(12):
        now[0] = float(second)
        listen(Progress("choosing", second, 12))
    assert [line.split(",")[0] for line in said] == [
        "Learning on the first part: 0 %",
        "Learning on the first part: 42 %",
        "Learning on the first part: 83 %",
    ]


def test_a_new_stage_is_said_at_once() -> None:
    said: list[str] = []
    listen = lines(said.append, lambda: 0.0)
    listen(Progress("choosing", 1, 2))
    listen(Progress("final", 0, 2))
    assert said == ["Learning on the first part: 50 %", "Learning on all rows: 0 %"]


def test_a_line_holds_loss_gain_and_the_time_left() -> None:
    assert describe(Progress("final", 25, 100, 0.1234567, 0.12), 1.2) == (
        "Learning on all rows: 25 %, loss 0.1235, error 88 % of that at the start, at most 1:30 left"
    )


def test_the_time_left_is_counted_from_the_first_look_at_the_work() -> None:
    said: list[str] = []
    now = [0.0]
    listen = lines(said.append, lambda: now[0])
    for second, done in ((0, 0), (30, 5), (36, 10), (42, 20)):  # compiling takes half a minute
        now[0] = float(second)
        listen(Progress("choosing", done, 100))
    assert [line.removeprefix("Learning on the first part: ") for line in said] == [
        "0 %",
        "5 %",
        "10 %, at most 1:48 left",
        "20 %, at most 1:04 left",
    ]
