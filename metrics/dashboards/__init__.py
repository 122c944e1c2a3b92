"""Grafana dashboards as code: five boards in two languages, and what Grafana needs to find them.

``look`` says what words, colours and limits a set of boards has; ``panels`` makes panels of Grafana's types from a
few words each; one module holds one board; ``files`` writes everything that Grafana reads.
"""

import warnings

with warnings.catch_warnings():
    # Importing these warns that a later form of dashboards exists. Ours is the one that every Grafana in use takes
    # from files.
    warnings.simplefilter("ignore", DeprecationWarning)
    import grafana_foundation_sdk.builders.bargauge
    import grafana_foundation_sdk.builders.dashboard  # noqa: F401
