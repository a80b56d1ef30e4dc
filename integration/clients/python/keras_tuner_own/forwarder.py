"""A port that a test chose, forwarded to the one where its study is served."""
import socket
import threading

CONNECT_TIMEOUT_S = 10
MAX_CHUNK_BYTES = 64 * 1024


class Forwarder:
    def __init__(self, port, address):
        """Listens on 127.0.0.1. OSError when the port is taken. `address` is HOST:PORT."""
        host, _, target = address.rpartition(":")
        self._target = (host, int(target))
        self._listener = socket.create_server(("127.0.0.1", port))
        self._open = []
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        for one in [self._listener, *self._open]:
            # Wakes up who waits in accept or recv; closing alone does not.
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # Its other end was quicker.
            one.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # It was closed.
            far = socket.create_connection(self._target, timeout=CONNECT_TIMEOUT_S)
            far.settimeout(None)
            self._open += [near, far]
            self.connections += 1
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        try:
            while chunk := source.recv(MAX_CHUNK_BYTES):
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # One end is gone: the other is told by the copy in its direction, or by close().
