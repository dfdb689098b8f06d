// The contract of all languages: ruby.
import { testLanguage } from '../support/languages/matrix.js';

testLanguage('ruby');
