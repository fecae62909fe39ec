#!/usr/bin/env -S node --
// `--`: node itself would otherwise read options of ours that it also knows, such as --env-file, wherever they stand.
import { execute } from '@oclif/core';

await execute({ dir: import.meta.url });
