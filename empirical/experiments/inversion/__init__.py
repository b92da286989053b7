"""The inversion paper's experiments rerun: networks that learn A⁻¹ on a box around a fixed matrix, and what they learn.

The paper's centres and radii are not public. Here they are chosen, stated in every record, and can be varied.
"""
