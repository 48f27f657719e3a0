"""Tables that people keep of their points, cameras, areas and units: from CSV and XLSX into a site, and back."""
