import MlsMobile
import Testing

@Test func probe() {}
