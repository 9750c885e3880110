"""librdkafka's mock cluster, behind ways to it that can fail, and librdkafka's consumer.

It prints the ports of the way without TLS and of the way with it, and then does what it is told on its input:
`open`; `cut`: nobody gets through; `mute`: what is sent arrives, and no answer comes back; `dump TOPIC FILE`.
"""

import socket, ssl, struct, sys, threading

from confluent_kafka import Consumer, Producer, TopicPartition

producer = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "message.max.bytes": 10_000_000})
broker = next(iter(producer.list_topics(timeout=30).brokers.values()))
mode = "open"
clients = set()


def relay(source, to, change=lambda data: data, answers=False):
    try:
        while data := source.recv(65536):
            if mode == "cut":
                break
            if not (answers and mode == "mute"):
                to.sendall(change(data))
    except OSError:
        pass
    for one in (source, to):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def way(context=None):
    """The cluster's answers name its own port: here they name this one's."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    name = broker.host.encode()
    own, this = name + struct.pack(">i", broker.port), name + struct.pack(">i", port)

    def serve(client):
        try:
            client = context.wrap_socket(client, server_side=True) if context else client
            server = socket.create_connection((broker.host, broker.port))
        except OSError:
            return client.close()
        clients.update((client, server))
        threading.Thread(target=relay, args=(client, server), daemon=True).start()
        relay(server, client, lambda data: data.replace(own, this), answers=True)

    def accept():
        while True:
            client, _ = listener.accept()
            if mode == "cut":
                client.close()
            else:
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return port


def dump(topic, path):
    settings = {"bootstrap.servers": f"{broker.host}:{broker.port}", "group.id": "dump"}
    consumer = Consumer(settings | {"enable.auto.commit": False, "enable.partition.eof": False})
    partition = TopicPartition(topic, 0, 0)
    _, end = consumer.get_watermark_offsets(partition, timeout=30)
    consumer.assign([partition])
    with open(path, "wb") as file:
        for _ in range(end):
            message = consumer.poll(30)
            assert message is not None and not message.error(), message
            headers = dict(message.headers())
            fields = (message.key(), headers["Gmkit-Log"], headers["Gmkit-Index"], message.value())
            file.write(b"\t".join(fields) + b"\n")
    consumer.close()


def produce(topic, value):
    producer.produce(topic, value.encode(), partition=0)
    producer.flush(30)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.pem", "server.key")
context.load_verify_locations("server.pem")
context.verify_mode = ssl.CERT_REQUIRED
print(way(), way(context), flush=True)
for line in sys.stdin:
    match line.split():
        case ["dump", topic, path]:
            dump(topic, path)
        case ["produce", topic, value]:
            produce(topic, value)
        case ["open" | "cut" | "mute" as new]:
            mode = new
            for client in list(clients) if mode == "cut" else ():
                try:
                    client.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
    print("done", flush=True)
