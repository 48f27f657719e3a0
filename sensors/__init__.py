"""What the world tells us: observations, the site's registry, and the ways signals get in."""
