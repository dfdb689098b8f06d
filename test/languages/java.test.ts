// The contract of all languages: java.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('java');
