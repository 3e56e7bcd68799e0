"""HTTP programs that behave like the vendors, faults included; of use to anybody who tests against them."""
