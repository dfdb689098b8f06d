// The contract of all languages: php.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('php');
