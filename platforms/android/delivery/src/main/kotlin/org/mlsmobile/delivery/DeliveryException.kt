package org.mlsmobile.delivery

/** Why a call to the delivery service failed. No text has a token in it. */
public sealed class DeliveryException(text: String) : Exception(text) {
    /**
     * No answer came. Whether the request was carried out is unknown: make it again, the service does nothing twice. At worst
     * a key package that was claimed is lost.
     */
    public class NoAnswer internal constructor() : DeliveryException("the delivery service did not answer")

    /** Too many requests, or the service is busy. Try again after a moment. */
    public class Wait internal constructor() : DeliveryException("the delivery service asks to wait")

    /** The token is missing, wrong or expired. Register again; the device stays the same. */
    public class Unauthorized internal constructor() : DeliveryException("the token is not valid")

    /** The service refused. */
    public class Refused internal constructor(
        /** A word of the service's interface that never changes, such as `no_key_package`. */
        public val code: String,
    ) : DeliveryException("the delivery service refused: $code")

    /** The answer is not one of this service: another server, or a sign-in page of the network that the phone is in. */
    public class NotUnderstood internal constructor() : DeliveryException("the answer was not understood")
}
