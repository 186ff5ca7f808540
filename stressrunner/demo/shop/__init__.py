"""A small web shop beside the agents API, for what scenarios of other APIs do: log in, page, upload, wait."""

from stressrunner.demo.shop.routes import shop_routes

__all__ = ["shop_routes"]
