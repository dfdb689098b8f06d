// The contract of all languages: python.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('python');
