"""What leaves the building and what comes back: witnesses' cosignatures, daily anchors, stamps, and the comparison."""
