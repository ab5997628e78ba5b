SELECT create_block_partition($1)
