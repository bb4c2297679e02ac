"""What schemathesis does not know: an MLSMessage is sent as the bytes that it is."""

import schemathesis

schemathesis.serializer.alias("message/mls", "application/octet-stream")
