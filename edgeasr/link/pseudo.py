"""A pseudo-terminal: a line that another program opens like a serial port."""

import os
import tty

from edgeasr.link.line import DescriptorLink


class PtyLink(DescriptorLink):
    """A new pty. other_side: path of the device that the other program is to open.

    The other side is held open here too, so programs may come and go; that one went is not seen.
    """

    hint = "has a program opened the other side?"

    def __init__(self) -> None:
        ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.other_side = os.ttyname(self._theirs)
        super().__init__(f"pty of {self.other_side}", ours, ours)

    def close(self) -> None:
        super().close()
        theirs, self._theirs = self._theirs, -1
        if theirs >= 0:
            os.close(theirs)
