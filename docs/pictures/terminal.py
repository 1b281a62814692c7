"""terminal.py OUT.svg COMMAND...: runs the command in a terminal of its own and draws what it shows as a moving picture.

terminal.py --log CI OUT.svg COMMAND...: with no terminal behind it, as in CI; a picture of the end. CI is `none`, or `gitlab` or
`teamcity`, whose marks for what can be folded are shown as what they become.

What the command writes goes through a terminal emulator (pyte); each screen that stands for a moment is a frame, shown for
an eighth of the time that it stood. Text stays text, in the reader's own monospaced font.
"""

import html
import os
import pty
import re
import select
import shlex
import struct
import sys
import fcntl
import termios
import time

import pyte

COLUMNS, ROWS = 110, 24
PACE = 8
# Of the command's time. More often would be a larger picture, and too fast to read.
FRAME_SECONDS = 2.0
# Of the reader's: for the screen that stays.
LAST_SECONDS = 8.0
WIDTH, HEIGHT, PAD = 8.0, 18.0, 14.0
COLOURS = {
    "default": "#e6edf3",
    "black": "#484f58",
    "red": "#ff7b72",
    "green": "#3fb950",
    "brown": "#d29922",
    "blue": "#58a6ff",
    "magenta": "#bc8cff",
    "cyan": "#39c5cf",
    "white": "#b1bac4",
}


def record(command: list[str], shown: list[str]) -> list[tuple[float, list]]:
    """The screens, each with the time at which it appeared; on the first line what is shown as the command."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    stream.feed(f"$ {' '.join(shown)}\r\n".encode())
    frames = []
    began = time.monotonic()
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                data = b""
            if not data:
                break
            stream.feed(data)
        else:
            keep(frames, (time.monotonic() - began) / PACE, screen)
    keep(frames, (time.monotonic() - began) / PACE, screen)
    os.waitpid(pid, 0)
    return frames


def keep(frames: list, at: float, screen: pyte.Screen) -> None:
    rows = [[screen.buffer[row][column] for column in range(COLUMNS)] for row in range(ROWS)]
    if frames and (frames[-1][1] == rows or at - frames[-1][0] < FRAME_SECONDS / PACE):
        if frames[-1][1] != rows:
            frames[-1] = (frames[-1][0], rows)
        return
    frames.append((at, rows))


def lines(rows: list) -> list[str]:
    """Each row as SVG, its runs of one style together."""
    drawn = []
    for number, row in enumerate(rows):
        parts, column = [], 0
        while column < COLUMNS:
            first = row[column]
            style = (first.fg, first.bold)
            end = column
            while end < COLUMNS and (row[end].fg, row[end].bold) == style:
                end += 1
            text = "".join(cell.data for cell in row[column:end]).rstrip()
            if text:
                lead = len(text) - len(text.lstrip())
                colour = COLOURS.get(first.fg, "#" + first.fg if len(first.fg) == 6 else COLOURS["default"])
                weight = ' font-weight="bold"' if first.bold else ""
                parts.append(
                    f'<text x="{(column + lead) * WIDTH:g}" y="{number * HEIGHT + 14:g}" fill="{colour}"{weight} '
                    f'textLength="{len(text.lstrip()) * WIDTH:g}" xml:space="preserve">{html.escape(text.lstrip())}</text>'
                )
            column = end
        if parts:
            drawn.append("".join(parts))
    return drawn


def draw(frames: list) -> str:
    used = max(
        (number + 1 for _, rows in frames for number, row in enumerate(rows) if any(cell.data.strip() for cell in row)),
        default=1,
    )
    width, height = COLUMNS * WIDTH + 2 * PAD, used * HEIGHT + 2 * PAD
    ends = [at for at, _ in frames[1:]] + [frames[-1][0] + LAST_SECONDS]
    whole = ends[-1]
    groups, rules = [], []
    for number, ((at, rows), end) in enumerate(zip(frames, ends)):
        begin, stop = 100 * (at if number else 0) / whole, 100 * end / whole
        # Where nothing moves, because the reader wants it so or the program can't, the last frame is seen.
        last = ' class="last"' if number == len(frames) - 1 else ""
        groups.append(f'<g id="f{number}"{last}>{"".join(lines(rows))}</g>')
        begun = "" if begin == 0 else "0%{visibility:hidden}"
        over = "" if number == len(frames) - 1 else f"{stop:.3f}%{{visibility:hidden}}"
        moves = f"{begun}{begin:.3f}%{{visibility:visible}}{over}"
        if len(frames) > 1:
            rules.append(f"@keyframes k{number}{{{moves}}}#f{number}{{animation:k{number} {whole:.1f}s steps(1,end) infinite}}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" font-size="13">'
        f"<style>g[id]{{visibility:hidden}}g.last{{visibility:visible}}{''.join(rules)}"
        "@media(prefers-reduced-motion:reduce){g[id]{animation:none}}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/><g transform="translate({PAD:g} {PAD:g})">'
        f"{''.join(groups)}</g></svg>\n"
    )


def fold(ci: str) -> None:
    """From the log that comes in to what a person sees of it."""
    hidden = False
    for line in sys.stdin:
        if ci == "gitlab" and (section := re.match(r"\x1b\[0Ksection_(start|end):\d+:[^\r]*?(\[collapsed=true\])?\r\x1b\[0K(.*)", line)):
            hidden = section[1] == "start" and section[2] is not None
            if section[1] == "start":
                print("▸" if hidden else "▾", section[3])
        elif ci == "teamcity" and (message := re.match(r"##teamcity\[(\w+)(?: name='([^']*)')?", line)):
            if message[1] == "blockOpened":
                print("▾", message[2])
        elif not hidden:
            print(line, end="", flush=True)


def main() -> None:
    match sys.argv[1:]:
        case ["--fold", ci]:
            return fold(ci)
        case ["--log", ci, out, *command] if command:
            through = shlex.join([sys.executable, __file__, "--fold", ci])
            shell = ["sh", "-c", f'exec 2>&1; "$@" | {through}', "sh", *command]
            frames = [(0.0, record(shell, command)[-1][1])]
        case [out, *command] if command:
            frames = record(command, command)
        case _:
            sys.exit(__doc__)
    with open(out, "w", encoding="utf-8") as file:
        file.write(draw(frames))


main()
