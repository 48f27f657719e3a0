"""The distributed log: the transport that carries the Faust application on Apache Kafka."""
