import { setUpTheme } from './page/theme.ts';

/* The pages /problems and /problems/REASON, whose content image-api writes. */

setUpTheme();
