// The contract of all languages: lua.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('lua');
