# How Binder's JupyterLab starts; also of use on a JupyterHub, in its /etc/jupyter.
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from backprop_lab.command.cli import prompt

c = get_config()  # noqa: F821
c.ServerApp.default_url = c.LabApp.default_url = "/lab/tree/notebooks/00-start-here.ipynb"
c.ServerApp.kernel_websocket_connection_class = prompt(ZMQChannelsWebsocketConnection)
