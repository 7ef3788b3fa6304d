"""The words and arguments of the ``ocm`` commands, by what they are about; what they do stands in ``commands``."""
