"""Notebooks: the route browser, its panel in JupyterLab, and rich display.

Everything here draws and asks; nothing here decides, keeps or publishes routes by itself: all of that is the SDK's. No
secret leaves by what is drawn: neither widget state, saved notebooks nor the panel's answers hold a token or a
credential. Third parties enter by one door each: anywidget by ``browser``, IPython by ``showing``,
``failing`` and ``magics``, jupyter_server and tornado by ``server``.
"""
