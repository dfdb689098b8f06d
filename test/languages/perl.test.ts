// The contract of all languages: perl.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('perl');
