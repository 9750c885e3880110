"""Messages of bank.proto in Google's own implementation, and a client of gRPC's.

descriptors       the descriptors, as protoc writes them, in hex
encode            lines of a type and its JSON: lines of hex
decode            lines of a type and hex: lines of JSON
call ADDRESS      asks a server that masks, and prints what it sees
"""

import os
import sys
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_tools import protoc

here = os.path.dirname(os.path.abspath(__file__))
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "bank.pb")
    well_known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
    words = ["protoc", f"-I{here}", f"-I{well_known}", "--include_imports"]
    if protoc.main([*words, f"--descriptor_set_out={path}", "bank.proto", "odd.proto"]) != 0:
        sys.exit("protoc")
    with open(path, "rb") as file:
        written = file.read()
files = descriptor_pb2.FileDescriptorSet.FromString(written)
pool = descriptor_pool.DescriptorPool()
for file in files.file:
    pool.Add(file)


def type_of(name):
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def encode(name, text):
    return json_format.Parse(text, type_of(name)(), descriptor_pool=pool)


def decode(message):
    return json_format.MessageToJson(
        message, preserving_proto_field_name=True, indent=None, sort_keys=True,
        ensure_ascii=False, descriptor_pool=pool,
    )


def call(address):
    import grpc

    account = type_of("bank.v1.Account")
    channel = grpc.insecure_channel(address)
    words = {"request_serializer": account.SerializeToString,
             "response_deserializer": account.FromString}
    get = channel.unary_unary("/bank.v1.Accounts/Get", **words)
    watch = channel.unary_stream("/bank.v1.Accounts/Watch", **words)
    binary = bytes(range(256))
    sent = [("x-trace-bin", binary), ("x-trace-bin", b"\0"), ("x-chain", "a"), ("x-chain", "b")]
    answer, seen = get.with_call(account(note="echo"), metadata=sent, timeout=20)
    print(decode(answer))
    metadata = [*seen.initial_metadata(), *seen.trailing_metadata()]
    for name in ["x-trace-bin", "x-chain", "x-phone"]:
        values = [value for key, value in metadata if key == name]
        print(name, [value.hex() if isinstance(value, bytes) else value for value in values])
    answer = get(account(note="echo"), metadata=sent, timeout=20, compression=grpc.Compression.Gzip)
    print(decode(answer))
    for ask in [lambda: [get(account(note="fail"), timeout=20)],
                lambda: [get(account(note="odd"), timeout=20)],
                lambda: watch(account(note="echo"), timeout=20),
                lambda: watch(account(note="odd"), timeout=20)]:
        try:
            for answer in ask():
                print(decode(answer)[:100])
        except grpc.RpcError as error:
            print(error.code().name, error.details())


match sys.argv[1:]:
    case ["descriptors"]:
        print(written.hex())
    case ["encode"]:
        for line in sys.stdin:
            name, text = line.split(" ", 1)
            print(encode(name, text).SerializeToString(deterministic=True).hex())
    case ["decode"]:
        for line in sys.stdin:
            name, text = line.rstrip("\n").split(" ", 1)
            print(decode(type_of(name).FromString(bytes.fromhex(text))))
    case ["call", address]:
        call(address)
