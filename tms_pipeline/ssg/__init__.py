"""SSG's training-provider APIs: the client. The simulator beside it shares nothing with it but the wire."""
