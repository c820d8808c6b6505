"""A load that never ends."""

import threading

if __name__ == "__main__":
    threading.Event().wait()
