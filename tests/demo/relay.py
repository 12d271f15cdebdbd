# SPDX-License-Identifier: ISC
"""The lab's management plane: a loopback port inside each namespace that
leads to the same port on the machine's own loopback, where the collector
listens.  No address of the lab is reachable from outside by it, nor the
other way round."""
import asyncio
import ctypes
import os
import socket
import threading

CLONE_NEWNET = 0x40000000


def listen_inside(namespace, port):
    """A listening socket that lives in a namespace; threads have their own."""
    made = []

    def run():
        fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(fd, CLONE_NEWNET) != 0:
            made.append(OSError(ctypes.get_errno(), "setns"))
        else:
            made.append(socket.create_server(("127.0.0.1", port)))
        os.close(fd)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


async def _copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


class Relay:
    """Runs in a thread of its own until stop()."""

    def __init__(self, namespaces, port):
        self.port = port
        self.sockets = [listen_inside(name, port) for name in namespaces]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        for listening in self.sockets:
            self.loop.run_until_complete(
                asyncio.start_server(self._serve, sock=listening))
        self.loop.run_forever()

    async def _serve(self, reader, writer):
        try:
            to = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, to[1]), _copy(to[0], writer))

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(2)
        for listening in self.sockets:
            listening.close()
