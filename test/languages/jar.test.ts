// The contract of all languages: jar.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('jar');
