// The contract of all languages: node.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('node');
