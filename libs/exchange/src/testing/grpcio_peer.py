"""Pulls by Python's grpcio (gRPC's C core): `client ADDRESS`, or `server` with the messages of its answer on standard input.

Requests and messages are bytes here; what is in them is read elsewhere. Prints a line of JSON for whatever it learns.
"""
import json
import sys
from concurrent import futures

import grpc

PULL = "/lockstep.exchange.v1.ExchangeService/Pull"
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def say(**words):
    print(json.dumps(words), flush=True)


def client(address, request, pulls):
    channel = grpc.insecure_channel(address, options=OPTIONS)
    # All calls share one connection.
    calls = [channel.unary_stream(PULL)(request, timeout=60) for _ in range(pulls)]
    for call in calls:
        try:
            lengths, checksum = [], 0
            for message in call:
                lengths.append(len(message))
                checksum = (checksum + sum(message[59:])) % 1_000_003
            say(kind="END", lengths=lengths, checksum=checksum)
        except grpc.RpcError as error:
            details = dict(call.trailing_metadata()).get("grpc-status-details-bin")
            say(kind="ERROR", code=error.code().name, message=error.details(), details=details.hex() if details else None)
    channel.close()


def server():
    messages = [bytes.fromhex(line) for line in sys.stdin.readline().split()]

    def pull(request, context):
        if request == b"":
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "génération 100 % over")
        for message in messages:
            yield message

    running = grpc.server(futures.ThreadPoolExecutor(4), options=OPTIONS)
    handler = grpc.unary_stream_rpc_method_handler(pull)
    running.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("lockstep.exchange.v1.ExchangeService", {"Pull": handler}),))
    port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    say(kind="LISTENING", port=port)
    sys.stdin.readline()
    running.stop(None)


if sys.argv[1] == "client":
    client(sys.argv[2], bytes.fromhex(sys.argv[3]), int(sys.argv[4]))
else:
    server()
